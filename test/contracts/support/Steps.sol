// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IJobEscrow, SeatStatus, State} from "../../../contracts/interfaces/IJobEscrow.sol";
import {Harness} from "./Harness.sol";

/// @notice The calls of a job, each by the party that makes it, with measurements that can be told again.
abstract contract Steps is Harness {
    int64 internal constant GOOD = 970_000_000;
    bytes32 internal constant OUTPUTS = keccak256("outputs");
    bytes32 internal constant OTHER_OUTPUTS = keccak256("other outputs");
    bytes32 internal constant BLINDED_KEY = keccak256("session key xor mask");

    function post(IJobEscrow.Terms memory terms) internal {
        uint256 sum = terms.price + uint256(terms.rule.validators()) * terms.validatorFee;
        vm.prank(terms.requester);
        escrow.post{value: terms.token == address(0) ? sum : 0}(terms, "sealed bundle");
    }

    function accept(IJobEscrow.Terms memory terms) internal {
        vm.prank(terms.provider);
        escrow.accept(terms);
    }

    function submit(IJobEscrow.Terms memory terms) internal {
        bytes32 commitment = commitmentOf(terms, terms.provider, honest());
        bytes32 key = keyCommitmentOf(terms);
        vm.prank(terms.provider);
        escrow.submit(terms, keccak256("root"), commitment, key, "sealed result");
    }

    function appoint(IJobEscrow.Terms memory terms) internal {
        IJobEscrow.Appointment[] memory list = appointmentsOf(terms.rule.validators());
        vm.prank(terms.requester);
        escrow.appoint(terms, list);
    }

    function appointmentsOf(uint256 count) internal view returns (IJobEscrow.Appointment[] memory list) {
        list = new IJobEscrow.Appointment[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = IJobEscrow.Appointment(validator(i), "sealed to a validator");
        }
    }

    function commit(IJobEscrow.Terms memory terms, address who, IJobEscrow.Measurement memory found) internal {
        bytes32 commitment = commitmentOf(terms, who, found);
        vm.prank(who);
        escrow.commit(terms, commitment);
    }

    function abstain(IJobEscrow.Terms memory terms, address who) internal {
        vm.prank(who);
        escrow.abstain(terms, "no such image");
    }

    function reveal(IJobEscrow.Terms memory terms, address who, IJobEscrow.Measurement memory found) internal {
        bytes32 key = keyCommitmentOf(terms);
        vm.prank(who);
        escrow.reveal(terms, found, honest(), key);
    }

    function revealAlone(IJobEscrow.Terms memory terms, address who, IJobEscrow.Measurement memory found) internal {
        vm.prank(who);
        escrow.revealAlone(terms, found);
    }

    function disclose(IJobEscrow.Terms memory terms) internal {
        bytes32 key = keyCommitmentOf(terms);
        vm.prank(terms.provider);
        escrow.disclose(terms, honest(), key);
    }

    function claim(IJobEscrow.Terms memory terms) internal {
        bytes32 commitment = commitmentOf(terms, terms.provider, honest());
        address[] memory panel = panelOf(terms);
        vm.prank(terms.provider);
        escrow.claim(terms, BLINDED_KEY, commitment, panel);
    }

    function settle(IJobEscrow.Terms memory terms, address who) internal {
        address[] memory panel = panelOf(terms);
        vm.prank(who);
        escrow.settle(terms, panel);
    }

    function expire(IJobEscrow.Terms memory terms, address who) internal {
        address[] memory panel = panelOf(terms);
        vm.prank(who);
        escrow.expire(terms, panel);
    }

    function appeal(IJobEscrow.Terms memory terms) internal {
        uint256 bond = escrow.bondOf(terms);
        vm.prank(terms.provider);
        escrow.appeal{value: terms.token == address(0) ? bond : 0}(terms);
    }

    function challenge(IJobEscrow.Terms memory terms) internal {
        uint256 bond = escrow.bondOf(terms);
        vm.prank(terms.requester);
        escrow.challenge{value: terms.token == address(0) ? bond : 0}(terms);
    }

    /// @dev Makes a draw that is under way.
    function draw(IJobEscrow.Terms memory terms) internal {
        passSeed(terms);
        escrow.draw(terms);
    }

    /// @dev Everybody who has a seat and may commit, commits to `found`.
    function commitAll(IJobEscrow.Terms memory terms, IJobEscrow.Measurement memory found) internal {
        address[] memory seated = seatedAs(terms, SeatStatus.Appointed);
        for (uint256 i = 0; i < seated.length; ++i) {
            commit(terms, seated[i], found);
        }
    }

    /// @dev Everybody who has committed reveals `found` and the provider's.
    function revealAll(IJobEscrow.Terms memory terms, IJobEscrow.Measurement memory found) internal {
        address[] memory seated = seatedAs(terms, SeatStatus.Committed);
        for (uint256 i = 0; i < seated.length; ++i) {
            reveal(terms, seated[i], found);
        }
    }

    function seatedAs(IJobEscrow.Terms memory terms, SeatStatus status)
        internal
        view
        returns (address[] memory seated)
    {
        bytes32 id = escrow.jobIdOf(terms);
        address[] memory panel = panelOf(terms);
        uint256 count = 0;
        for (uint256 i = 0; i < panel.length; ++i) {
            if (escrow.seatOf(id, panel[i]) == status) panel[count++] = panel[i];
        }
        seated = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            seated[i] = panel[i];
        }
    }

    /// @dev A job that has come to `state` on the straight way, with the validators that its terms ask for.
    function reach(IJobEscrow.Terms memory terms, State state) internal {
        post(terms);
        if (state == State.Posted) return;
        accept(terms);
        if (state == State.Accepted) return;
        submit(terms);
        if (state == State.Submitted) return;
        if (state == State.Claimed) return claim(terms);
        appoint(terms);
        if (state == State.Validating) return;
        IJobEscrow.Measurement memory found = state == State.Rejected ? wrong() : honest();
        commitAll(terms, found);
        if (state == State.Inconclusive) {
            passDeadline(terms);
            escrow.conclude(terms);
            return;
        }
        revealAll(terms, found);
        if (state == State.Settled) claim(terms);
    }

    /// @dev What the provider measured, and every validator that works.
    function honest() internal pure returns (IJobEscrow.Measurement memory) {
        return IJobEscrow.Measurement(OUTPUTS, GOOD, keccak256("salt"));
    }

    /// @dev What a validator measures that contradicts the provider.
    function wrong() internal pure returns (IJobEscrow.Measurement memory) {
        return IJobEscrow.Measurement(OTHER_OUTPUTS, GOOD, keccak256("salt"));
    }

    function commitmentOf(IJobEscrow.Terms memory terms, address author, IJobEscrow.Measurement memory found)
        internal
        view
        returns (bytes32)
    {
        return keccak256(abi.encode(escrow.jobIdOf(terms), author, found.digest, found.score, found.salt));
    }

    function keyCommitmentOf(IJobEscrow.Terms memory terms) internal view returns (bytes32) {
        return keccak256(abi.encode(escrow.jobIdOf(terms), BLINDED_KEY));
    }

    function owedTo(address who, IJobEscrow.Terms memory terms) internal view returns (uint256) {
        return escrow.owed(who, terms.token);
    }

}
